"""What a multi-label target looks like: counts, imbalance, co-occurrence, partitions."""

__all__: list[str] = []
