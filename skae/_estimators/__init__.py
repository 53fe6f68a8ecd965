"""scikit-learn's semantics, once, and a final class for each transformer."""
