"""From rows to a trained model; the only package that knows skorch."""
