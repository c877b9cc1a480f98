//! What is the same key: by each system's own rule, wherever keys are compared.
