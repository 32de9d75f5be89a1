"""What both Zalo channels are made of: the wire, the words, the errors, the keys."""
