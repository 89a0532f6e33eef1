def shards(rows, size=1024):
    for start in range(0, len(rows), size):
        yield rows[start : start + size]["text"]
