"""Clients of one broker, and names that nobody else uses."""

import time
from typing import Callable

from confluent_kafka import Consumer, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

SOON_S = 60
LOOK_AGAIN_S = 0.05


class World:
    def __init__(self, address: str) -> None:
        self.at = {"bootstrap.servers": address}
        self.admin = AdminClient(self.at)
        self._names = 0

    def name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}-{self._names}"

    def topic(self, partitions: int = 1) -> str:
        name = self.name("topic")
        self.admin.create_topics([NewTopic(name, partitions)])[name].result()
        # Brokers of Apache Kafka hear of it a moment later.
        until(lambda: name in self.admin.list_topics(timeout=SOON_S).topics)
        return name

    def configure(self, topic: str, name: str, value: str) -> None:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self.admin.incremental_alter_configs([resource])[resource].result()

    def producer(self, **settings) -> Producer:
        return Producer({**self.at, **named(settings)})

    def transactional(self, transactional_id: str, **settings) -> Producer:
        producer = self.producer(transactional_id=transactional_id, **settings)
        producer.init_transactions(SOON_S)
        return producer

    def consumer(self, group: str, **settings) -> Consumer:
        quick = {"auto.offset.reset": "earliest", "fetch.wait.max.ms": 50, "group.id": group}
        return Consumer({**self.at, **quick, **named(settings)})

    def write(self, topic: str, values: list[str], partition: int = 0) -> None:
        producer = self.producer()
        for value in values:
            producer.produce(topic, value, partition=partition)
        same(producer.flush(SOON_S), 0)

    def read(self, topic: str, count: int, **settings) -> list[Message]:
        """The first records of a topic, as a group of its own reads them."""
        consumer = self.consumer(self.name("reader"), **settings)
        consumer.subscribe([topic])
        messages = take(consumer, count)
        consumer.close()
        return messages

    def all_of(self, topic: str, isolation: str) -> list[str]:
        """Values of a topic of one partition, up to where it ends by now."""
        consumer = self.consumer(self.name("reader"), isolation_level=isolation, enable_partition_eof=True)
        consumer.subscribe([topic])
        values: list[str] = []

        def ended() -> bool:
            message = consumer.poll(LOOK_AGAIN_S)
            if message is None:
                return False
            if message.error() is not None:
                return message.error().name() == "_PARTITION_EOF"
            values.append(message.value().decode())
            return False

        until(ended)
        consumer.close()
        return values


def named(settings: dict) -> dict:
    """`a_b=1` is the setting `a.b`."""
    return {name.replace("_", "."): value for name, value in settings.items()}


def take(consumer: Consumer, count: int) -> list[Message]:
    messages: list[Message] = []

    def has_all() -> bool:
        for message in consumer.consume(count - len(messages), LOOK_AGAIN_S):
            if message.error() is not None:
                raise KafkaException(message.error())
            messages.append(message)
        return len(messages) == count

    until(has_all)
    return messages


def until(met: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + SOON_S
    while not met():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"not so after {SOON_S} s")
        time.sleep(0.01)


def same(is_, wanted) -> None:
    if is_ != wanted:
        raise AssertionError(f"{is_!r}, not {wanted!r}")


def soon(look: Callable[[], object], wanted: object) -> None:
    """Brokers of Apache Kafka hear of a change a moment after their controller has answered."""
    seen: list[object] = []

    def met() -> bool:
        seen[:] = [look()]
        return seen == [wanted]

    try:
        until(met)
    except TimeoutError:
        same(seen[0], wanted)


def refused(work: Callable[[], object], name: str) -> str:
    """What is said of `work`, which has to be refused with this error."""
    try:
        work()
    except KafkaException as error:
        same(error.args[0].name(), name)
        return name
    raise AssertionError(f"it was not refused with {name}")
