"""Fitted estimators as ONNX: graphs that need neither this package nor PyTorch."""
