//! Vectors, and what may come over a line.
