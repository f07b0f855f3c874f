//! Tests of the buffer.
