"""Transactions (KIP-98, 360, 447, 890)."""

from confluent_kafka import KafkaException, TopicPartition

from world import SOON_S, World, refused, same, take, until


def isolation(world: World) -> str:
    """what is committed counts, what is aborted does not; nothing behind an open one is read"""
    topic = world.topic()
    producer = world.transactional(world.name("transaction"))
    for value, ends in (("a", True), ("b", False), ("c", True)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(SOON_S)
        (producer.commit_transaction if ends else producer.abort_transaction)(SOON_S)
    producer.begin_transaction()
    producer.produce(topic, "open")
    producer.flush(SOON_S)
    world.write(topic, ["plain"])
    same(world.all_of(topic, "read_uncommitted"), ["a", "b", "c", "open", "plain"])
    same(world.all_of(topic, "read_committed"), ["a", "c"])
    producer.abort_transaction(SOON_S)
    until(lambda: world.all_of(topic, "read_committed") == ["a", "c", "plain"])
    return "read_committed: a, c, plain"


def consumed_and_produced(world: World) -> str:
    """consume, transform, produce: positions of the group count with what was made of the records"""
    source, target = world.topic(), world.topic()
    world.write(source, [str(number) for number in range(50)])
    group, transactional_id = world.name("group"), world.name("transaction")
    crashes = {10, 31}

    def work() -> None:
        """It begins where the group is, ten records a transaction; twice it crashes in the middle."""
        consumer = world.consumer(group, enable_auto_commit=False, isolation_level="read_committed")
        consumer.subscribe([source])
        producer = world.transactional(transactional_id)
        while True:
            messages = take(consumer, 10)
            producer.begin_transaction()
            for message in messages:
                producer.produce(target, b"made of " + message.value())
            ends = [TopicPartition(source, 0, messages[-1].offset() + 1)]
            producer.send_offsets_to_transaction(ends, consumer.consumer_group_metadata(), SOON_S)
            crash = next((at for at in crashes if messages[0].offset() <= at <= messages[-1].offset()), None)
            if crash is not None:
                producer.flush(SOON_S)
                crashes.remove(crash)
                consumer.close()
                return
            producer.commit_transaction(SOON_S)
            if messages[-1].offset() == 49:
                consumer.close()
                return

    for _ in range(3):
        work()
    wanted = [f"made of {number}" for number in range(50)]
    until(lambda: world.all_of(target, "read_committed") == wanted)
    looking = world.consumer(group)
    same(looking.committed([TopicPartition(source, 0)], SOON_S)[0].offset, 50)
    looking.close()
    return "50 records, each once, over two crashes"


def fencing(world: World) -> str:
    """who begins with the same id fences who had it, and goes on"""
    topic, transactional_id = world.topic(), world.name("transaction")
    zombie = world.transactional(transactional_id)
    zombie.begin_transaction()
    zombie.produce(topic, "a")
    zombie.flush(SOON_S)
    owner = world.transactional(transactional_id)
    owner.begin_transaction()
    owner.produce(topic, "b")
    owner.commit_transaction(SOON_S)
    said = refused(lambda: zombie.commit_transaction(SOON_S), "_FENCED")
    until(lambda: world.all_of(topic, "read_committed") == ["b"])
    return said


def lost_membership(world: World) -> str:
    """who is no member of the group any more commits nothing (KIP-447)"""
    source, target, group = world.topic(), world.topic(), world.name("group")
    world.write(source, ["a"])
    left = world.consumer(group, enable_auto_commit=False)
    left.subscribe([source])
    take(left, 1)
    metadata = left.consumer_group_metadata()
    left.close()
    producer = world.transactional(world.name("transaction"))
    producer.begin_transaction()
    producer.produce(target, "late")
    try:
        producer.send_offsets_to_transaction([TopicPartition(source, 0, 1)], metadata, SOON_S)
        raise AssertionError("it was not refused")
    except KafkaException as error:
        same(error.args[0].txn_requires_abort(), True)
        said = error.args[0].name()
    producer.abort_transaction(SOON_S)
    until(lambda: world.all_of(target, "read_committed") == [])
    return said


def too_slow(world: World) -> str:
    """a transaction that takes longer than it may is aborted, and its producer is told"""
    topic = world.topic()
    producer = world.transactional(
        world.name("transaction"), transaction_timeout_ms=1_000, message_timeout_ms=1_000, socket_timeout_ms=1_000
    )
    producer.begin_transaction()
    producer.produce(topic, "late")
    producer.flush(SOON_S)
    world.write(topic, ["plain"])
    until(lambda: world.all_of(topic, "read_committed") == ["plain"])
    return refused(lambda: producer.commit_transaction(SOON_S), "_FENCED")


def too_long(world: World) -> str:
    """transaction.timeout.ms above what the broker allows is refused"""
    producer = world.producer(transactional_id=world.name("transaction"), transaction_timeout_ms=16 * 60 * 1000)
    return refused(lambda: producer.init_transactions(SOON_S), "INVALID_TRANSACTION_TIMEOUT")


CHECKS = [isolation, consumed_and_produced, fencing, lost_membership, too_slow, too_long]
