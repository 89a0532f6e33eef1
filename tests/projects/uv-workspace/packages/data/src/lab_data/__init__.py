def batches():
    import pyarrow.dataset

    yield from pyarrow.dataset.dataset("shards").to_batches()
