//! Meters answer as the vectors say.
