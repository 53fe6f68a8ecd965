"""Where rows come from that are more than memory: files, collections and functions."""
