//! Announcements of many makes, as they are heard.
