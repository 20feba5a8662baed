//! Calls of AWS services whose SDKs are not worth their build time and size here.

pub mod call;
pub mod cloudwatch;
pub mod xml;
