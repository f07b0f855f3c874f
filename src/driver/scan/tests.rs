//! Scans of simulated lines.
