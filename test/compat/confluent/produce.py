"""Producing and reading."""

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from world import SOON_S, World, refused, same, take


def every_codec(world: World) -> str:
    """records by every codec, with keys, headers and times, as an idempotent producer writes them"""
    codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    topic = world.topic()
    wanted = []
    for codec in codecs:
        producer = world.producer(compression_type=codec, enable_idempotence=True)
        offsets = []
        for number in range(200):
            key = None if number % 7 == 0 else f"key-{number}"
            value = None if number % 11 == 0 else f"{codec} {number} ".ljust(500, ".")
            headers = [("codec", codec), ("codec", b"again"), ("empty", None)]
            stamp = 1_700_000_000_000 + number
            told = lambda error, message: offsets.append((error, message.offset()))
            producer.produce(topic, value, key, on_delivery=told, timestamp=stamp, headers=headers)
            wanted.append((key, value, [("codec", codec), ("codec", "again"), ("empty", None)], stamp))
        same(producer.flush(SOON_S), 0)
        first = codecs.index(codec) * 200
        same(offsets, [(None, first + number) for number in range(200)])
    text = lambda data: None if data is None else data.decode()
    seen = [
        (text(one.key()), text(one.value()), [(name, text(data)) for name, data in one.headers()], one.timestamp()[1])
        for one in world.read(topic, len(wanted))
    ]
    same(seen, wanted)
    return f"{', '.join(codecs)}: {len(seen)} records"


def sizes(world: World) -> str:
    """a record of 5 MB where the topic takes it, and the refusal where it does not"""
    topic = world.topic()
    producer = world.producer(message_max_bytes=10_000_000)
    outcomes = []
    told = lambda error, message: outcomes.append(error.name() if error else message.offset())
    producer.produce(topic, b"x" * 5_000_000, on_delivery=told)
    same(producer.flush(SOON_S), 0)
    world.configure(topic, "max.message.bytes", "6000000")
    producer.produce(topic, b"x" * 5_000_000, on_delivery=told)
    same(producer.flush(SOON_S), 0)
    same(outcomes, ["MSG_SIZE_TOO_LARGE", 0])
    same(len(world.read(topic, 1, fetch_max_bytes=1_000_000)[0].value()), 5_000_000)
    return "MSG_SIZE_TOO_LARGE"


def positions(world: World) -> str:
    """seeking, watermarks, offsets for times, pausing, committed positions with metadata"""
    topic = world.topic()
    producer = world.producer()
    for number in range(100):
        producer.produce(topic, str(number), timestamp=1_700_000_000_000 + number * 10)
    same(producer.flush(SOON_S), 0)
    group = world.name("group")
    consumer = world.consumer(group, enable_auto_commit=False)
    partition = TopicPartition(topic, 0)
    same(consumer.get_watermark_offsets(partition, SOON_S), (0, 100))
    times = [TopicPartition(topic, 0, 1_700_000_000_000 + 455)]
    same(consumer.offsets_for_times(times, SOON_S)[0].offset, 46)
    consumer.assign([TopicPartition(topic, 0, 46)])
    same(take(consumer, 1)[0].value(), b"46")
    consumer.seek(TopicPartition(topic, 0, 90))
    same([one.value() for one in take(consumer, 2)], [b"90", b"91"])
    consumer.pause([partition])
    same(consumer.consume(1, 0.3), [])
    consumer.seek(TopicPartition(topic, 0, OFFSET_BEGINNING))
    consumer.resume([partition])
    same(take(consumer, 1)[0].offset(), 0)
    consumer.commit(offsets=[TopicPartition(topic, 0, 7, "where I was")], asynchronous=False)
    found = consumer.committed([partition], SOON_S)[0]
    same((found.offset, found.metadata), (7, "where I was"))
    too_long = [TopicPartition(topic, 0, 7, "x" * 5000)]
    refusal = refused(lambda: consumer.commit(offsets=too_long, asynchronous=False), "OFFSET_METADATA_TOO_LARGE")
    consumer.close()
    return f"metadata of 5,000 characters: {refusal}"


CHECKS = [every_codec, sizes, positions]
