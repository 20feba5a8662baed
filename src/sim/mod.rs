mod model;
mod mutant;
mod random;
