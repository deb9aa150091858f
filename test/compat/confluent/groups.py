"""Groups of both protocols: classic, and KIP-848's."""

from confluent_kafka import ConsumerGroupState, ConsumerGroupType, TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic

from world import SOON_S, World, same, take, until

PARTITIONS = 6


class Member:
    """A consumer that is polled whenever somebody looks at it."""

    def __init__(self, world: World, group: str, topics: list[str], **settings) -> None:
        self.consumer = world.consumer(group, auto_commit_interval_ms=100, **settings)
        self.values: list[str] = []
        self.consumer.subscribe(topics)

    def poll(self) -> None:
        for message in self.consumer.consume(100, 0.02):
            if message.error() is None:
                self.values.append(message.value().decode())

    @property
    def share(self) -> list[tuple[str, int]]:
        self.poll()
        return sorted((one.topic, one.partition) for one in self.consumer.assignment())


def classic(**settings) -> dict:
    return {"group_protocol": "classic", "heartbeat_interval_ms": 100, "session_timeout_ms": 6_000, **settings}


def modern(**settings) -> dict:
    return {"group_protocol": "consumer", **settings}


def sizes(members: list[Member]) -> list[int]:
    return sorted(len(one.share) for one in members)


def fill(world: World, topic: str, prefix: str) -> list[str]:
    values = [f"{prefix}-{partition}" for partition in range(PARTITIONS)]
    for partition, value in enumerate(values):
        world.write(topic, [value], partition)
    return values


def begin(world: World, topic: str, member: Member) -> list[str]:
    """
    Alone it reads a record of each partition, so that the group has positions before others come. When a rebalance
    overtakes its question where a partition begins, librdkafka asks again half a second later, though it has been
    answered, and goes back there: of Apache Kafka's brokers, too, when they take their time. @returns what it read.
    """
    until(lambda: sizes([member]) == [PARTITIONS])
    values = fill(world, topic, "alone")
    until(lambda: (member.poll(), sorted(member.values) == values)[1])
    return values


def share(world: World, settings: dict) -> str:
    """One is alone, two share, then three; one leaves, one is left; each record once, and nothing is lost."""
    topic, group = world.topic(PARTITIONS), world.name("group")
    join = lambda: Member(world, group, [topic], **settings)
    members = [join()]
    gone: list[Member] = []
    wanted = begin(world, topic, members[0])

    def has_all() -> bool:
        for one in members:
            one.poll()
        return sorted(value for one in members + gone for value in one.values) == sorted(wanted)

    for size in ([3, 3], [2, 2, 2]):
        members.append(join())
        until(lambda: sizes(members) == size)
        wanted += fill(world, topic, f"{len(members)} share")
        until(has_all)
    for size in ([3, 3], [6]):
        gone.append(members.pop(0))
        gone[-1].consumer.close()
        until(lambda: sizes(members) == size)
        wanted += fill(world, topic, f"{len(members)} left")
        until(has_all)
    members[0].consumer.close()
    positions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    after = world.consumer(group)
    ends = [one.offset for one in after.committed(positions, SOON_S)]
    after.close()
    same(ends, [5] * PARTITIONS)
    return f"{len(wanted)} records, each once"


def by_range(world: World) -> str:
    """classic, range: members come and go, each record once"""
    return share(world, classic(partition_assignment_strategy="range"))


def by_cooperation(world: World) -> str:
    """classic, cooperative-sticky: members come and go, each record once"""
    return share(world, classic(partition_assignment_strategy="cooperative-sticky"))


def by_uniform(world: World) -> str:
    """group.protocol=consumer: members come and go, each record once"""
    return share(world, modern())


def by_remote_range(world: World) -> str:
    """group.protocol=consumer, group.remote.assignor=range: members come and go, each record once"""
    return share(world, modern(group_remote_assignor="range"))


def by_pattern(world: World) -> str:
    """group.protocol=consumer: topics by pattern, those that come later too"""
    prefix, group = world.name("pattern"), world.name("group")
    make = lambda name: world.admin.create_topics([NewTopic(name, 1)])[name].result()
    make(f"{prefix}-a")
    member = Member(world, group, [f"^{prefix}-[ab]$"], topic_metadata_refresh_interval_ms=100, **modern())
    until(lambda: member.share == [(f"{prefix}-a", 0)])
    for name in (f"{prefix}-b", f"{prefix}-c"):
        make(name)
    until(lambda: member.share == [(f"{prefix}-a", 0), (f"{prefix}-b", 0)])
    member.consumer.close()
    return "two of three"


def static_member(world: World, settings: dict) -> str:
    """It comes back before its session ends: it has what it had, and the other is not disturbed."""
    topic, group = world.topic(PARTITIONS), world.name("group")
    join = lambda instance: Member(world, group, [topic], group_instance_id=instance, **settings)
    steady = join("a")
    wanted = begin(world, topic, steady)
    before = join("b")
    until(lambda: sizes([steady, before]) == [3, 3])
    had, left = steady.share, before.share
    before.consumer.close()
    after = join("b")

    def is_back() -> bool:
        same(steady.share, had)
        return len(after.share) == 3

    until(is_back)
    same((after.share, steady.share), (left, had))
    wanted += fill(world, topic, "static")
    until(lambda: (steady.poll(), after.poll(), sorted(steady.values + after.values))[2] == wanted)
    steady.consumer.close()
    after.consumer.close()
    return "3 and 3"


def static_classic(world: World) -> str:
    """classic: a static member comes back, and nobody else notices"""
    return static_member(world, classic())


def static_modern(world: World) -> str:
    """group.protocol=consumer: a static member comes back, and nobody else notices"""
    return static_member(world, modern())


def more_partitions(world: World) -> str:
    """both protocols: partitions that are added are shared, too"""
    for settings in (classic(topic_metadata_refresh_interval_ms=100), modern()):
        topic, group = world.topic(2), world.name("group")
        members = [Member(world, group, [topic], **settings) for _ in range(2)]
        until(lambda: sizes(members) == [1, 1])
        world.admin.create_partitions([NewPartitions(topic, PARTITIONS)])[topic].result()
        until(lambda: sizes(members) == [3, 3])
        for one in members:
            one.consumer.close()
    return "2, then 6"


def migration(world: World) -> str:
    """a group goes over to group.protocol=consumer and back, member by member, while it is described"""
    topic, group = world.topic(PARTITIONS), world.name("group")
    old = [Member(world, group, [topic], **classic())]
    wanted = begin(world, topic, old[0])
    old.append(Member(world, group, [topic], **classic()))
    until(lambda: sizes(old) == [3, 3])
    new = [Member(world, group, [topic], **modern())]
    until(lambda: sizes(old + new) == [2, 2, 2])
    described = world.admin.describe_consumer_groups([group])[group].result()
    same((described.type, len(described.members)), (ConsumerGroupType.CONSUMER, 3))
    wanted += fill(world, topic, "both")
    all_values = lambda: sorted(value for one in old + new for value in (one.poll(), one.values)[1])
    until(lambda: all_values() == sorted(wanted))
    old.pop().consumer.close()
    until(lambda: sizes(old + new) == [3, 3])
    new.pop().consumer.close()
    until(lambda: sizes(old) == [6])
    described = world.admin.describe_consumer_groups([group])[group].result()
    same((described.type, described.state), (ConsumerGroupType.CLASSIC, ConsumerGroupState.STABLE))
    old[0].consumer.close()
    return "classic, consumer, classic"


CHECKS = [
    by_range,
    by_cooperation,
    by_uniform,
    by_remote_range,
    by_pattern,
    static_classic,
    static_modern,
    more_partitions,
    migration,
]
