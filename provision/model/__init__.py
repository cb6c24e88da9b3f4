"""The nouns: values, resources, state, change, codec, and the cluster as its file describes it. Frozen, no I/O."""
