"""One thing each, said in its first line; knows nothing of autoencoders."""
