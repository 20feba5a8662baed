//! The `v0` signature scheme of Customer.io's reporting webhooks: authentic means the bytes (design, law 3).
