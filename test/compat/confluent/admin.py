"""Administration: topics, settings, rules, groups, offsets, users."""

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, ConsumerGroupType, ElectionType
from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AlterConfigOpType
from confluent_kafka.admin import ConfigEntry, ConfigResource, ConfigSource, NewPartitions, NewTopic, OffsetSpec
from confluent_kafka.admin import ResourcePatternType, ResourceType, ScramCredentialInfo, ScramMechanism
from confluent_kafka.admin import UserScramCredentialDeletion, UserScramCredentialUpsertion

from groups import Member, classic, modern
from world import World, refused, same, soon, until


def topics(world: World) -> str:
    """topics: made, described, given partitions, deleted; what cannot be is refused"""
    name = world.name("topic")
    new = NewTopic(name, 2, config={"retention.ms": "60000"})
    world.admin.create_topics([new], validate_only=True)[name].result()
    same(name in world.admin.list_topics().topics, False)
    world.admin.create_topics([new])[name].result()
    said = [refused(world.admin.create_topics([new])[name].result, "TOPIC_ALREADY_EXISTS")]
    bad = NewTopic(world.name("topic"), 1, config={"retention.ms": "soon"})
    said.append(refused(world.admin.create_topics([bad])[bad.topic].result, "INVALID_CONFIG"))
    wide = NewTopic(world.name("topic"), 1, 3)
    said.append(refused(world.admin.create_topics([wide])[wide.topic].result, "INVALID_REPLICATION_FACTOR"))
    world.admin.create_partitions([NewPartitions(name, 4)])[name].result()
    fewer = world.admin.create_partitions([NewPartitions(name, 3)])[name]
    said.append(refused(fewer.result, "INVALID_PARTITIONS"))

    def described() -> tuple:
        found = world.admin.describe_topics(TopicCollection([name]), include_authorized_operations=True)[name].result()
        return [one.id for one in found.partitions], AclOperation.DESCRIBE in found.authorized_operations

    soon(described, ([0, 1, 2, 3], True))
    world.admin.delete_topics([name])[name].result()
    said.append(refused(world.admin.delete_topics([name])[name].result, "UNKNOWN_TOPIC_OR_PART"))
    return ", ".join(said)


def cluster(world: World) -> str:
    """the cluster: its id, its controller, its brokers, what one may do with it"""
    described = world.admin.describe_cluster(include_authorized_operations=True).result()
    same([node.id for node in described.nodes], [1])
    same((described.controller.id, len(described.cluster_id)), (1, 22))
    return f"{len(described.authorized_operations)} operations"


def configs(world: World) -> str:
    """settings of topics and brokers: described, changed one by one, put back; what cannot be is refused"""
    topic = world.topic()
    described = lambda: world.admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)])

    def value_of(name: str) -> tuple:
        entry = next(iter(described().values())).result()[name]
        return entry.value, ConfigSource(entry.source).name

    def alter(name: str, value: str | None, operation: AlterConfigOpType) -> None:
        entry = ConfigEntry(name, value, incremental_operation=operation)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        world.admin.incremental_alter_configs([resource])[resource].result()

    soon(lambda: value_of("cleanup.policy"), ("delete", "DEFAULT_CONFIG"))
    alter("cleanup.policy", "compact", AlterConfigOpType.APPEND)
    soon(lambda: value_of("cleanup.policy"), ("delete,compact", "DYNAMIC_TOPIC_CONFIG"))
    alter("cleanup.policy", "delete", AlterConfigOpType.SUBTRACT)
    soon(lambda: value_of("cleanup.policy"), ("compact", "DYNAMIC_TOPIC_CONFIG"))
    alter("cleanup.policy", None, AlterConfigOpType.DELETE)
    soon(lambda: value_of("cleanup.policy"), ("delete", "DEFAULT_CONFIG"))
    said = [refused(lambda: alter("retention.ms", "-2", AlterConfigOpType.SET), "INVALID_CONFIG")]
    broker = ConfigResource(ResourceType.BROKER, "1")
    entries = world.admin.describe_configs([broker])[broker].result()
    same(entries["log.retention.hours"].value, "168")
    return f"{len(entries)} of a broker, {said[0]}"


def acls(world: World) -> str:
    """rules: made, found by filters, deleted"""
    topic = world.name("topic")
    rule = lambda kind, pattern, who, operation, permission: AclBinding(
        kind, topic, pattern, who, "*", operation, permission
    )
    rules = [
        rule(ResourceType.TOPIC, ResourcePatternType.LITERAL, "User:ann", AclOperation.READ, AclPermissionType.ALLOW),
        rule(ResourceType.TOPIC, ResourcePatternType.PREFIXED, "User:bob", AclOperation.WRITE, AclPermissionType.DENY),
        rule(ResourceType.GROUP, ResourcePatternType.LITERAL, "User:ann", AclOperation.READ, AclPermissionType.ALLOW),
    ]
    for made in world.admin.create_acls(rules).values():
        made.result()
    filtered = lambda kind, pattern, who: AclBindingFilter(
        kind, topic, pattern, who, None, AclOperation.ANY, AclPermissionType.ANY
    )
    find = lambda *what: world.admin.describe_acls(filtered(*what)).result()
    soon(lambda: set(find(ResourceType.ANY, ResourcePatternType.ANY, None)), set(rules))
    same(find(ResourceType.TOPIC, ResourcePatternType.LITERAL, None), [rules[0]])
    same(find(ResourceType.ANY, ResourcePatternType.MATCH, "User:bob"), [rules[1]])
    gone = filtered(ResourceType.ANY, ResourcePatternType.ANY, "User:ann")
    same(set(world.admin.delete_acls([gone])[gone].result()), {rules[0], rules[2]})
    soon(lambda: find(ResourceType.ANY, ResourcePatternType.ANY, None), [rules[1]])
    return "3 made, 2 deleted"


def groups(world: World) -> str:
    """groups of both protocols: listed, described with their members, deleted once they are empty"""
    said = []
    for settings, kind in ((classic(), ConsumerGroupType.CLASSIC), (modern(), ConsumerGroupType.CONSUMER)):
        topic, group = world.topic(2), world.name("group")
        member = Member(world, group, [topic], client_id="described", **settings)
        until(lambda: len(member.share) == 2)
        listed = lambda **what: world.admin.list_consumer_groups(**what).result().valid
        same(group in [one.group_id for one in listed(types={kind}, states={ConsumerGroupState.STABLE})], True)
        same(group in [one.group_id for one in listed(states={ConsumerGroupState.EMPTY})], False)
        described = world.admin.describe_consumer_groups([group], include_authorized_operations=True)[group].result()
        same((described.type, described.state, described.coordinator.id), (kind, ConsumerGroupState.STABLE, 1))
        [found] = described.members
        same((found.client_id, len(found.assignment.topic_partitions)), ("described", 2))
        said.append(refused(world.admin.delete_consumer_groups([group])[group].result, "NON_EMPTY_GROUP"))
        member.consumer.close()
        world.admin.delete_consumer_groups([group])[group].result()
        said.append(refused(world.admin.delete_consumer_groups([group])[group].result, "GROUP_ID_NOT_FOUND"))
    return ", ".join(said)


def group_offsets(world: World) -> str:
    """positions of a group: set, listed, reset, not while it has members"""
    topic, group = world.topic(2), world.name("group")
    alter = lambda offset: world.admin.alter_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, offset)])]
    )[group]
    world.write(topic, ["a", "b"])
    alter(2).result()
    listed = lambda: world.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result()
    same([(one.partition, one.offset) for one in listed().topic_partitions], [(0, 2)])
    alter(1).result()
    member = Member(world, group, [topic], **classic())
    until(lambda: (member.poll(), member.values)[1] == ["b"])
    said = alter(0).result().topic_partitions[0].error.name()
    same(said, "UNKNOWN_MEMBER_ID")
    member.consumer.close()
    same([(one.partition, one.offset) for one in listed().topic_partitions], [(0, 2)])
    return said


def offsets(world: World) -> str:
    """offsets: earliest, latest, by time, of the newest record; records are deleted"""
    topic = world.topic()
    producer = world.producer()
    for number in range(10):
        producer.produce(topic, str(number), timestamp=1_700_000_000_000 + (100 - number))
    producer.flush()
    partition = TopicPartition(topic, 0)
    at = lambda spec: next(iter(world.admin.list_offsets({partition: spec}).values())).result().offset
    same([at(OffsetSpec.earliest()), at(OffsetSpec.latest()), at(OffsetSpec.max_timestamp())], [0, 10, 0])
    same(at(OffsetSpec.for_timestamp(1_700_000_000_000 + 100)), 0)
    deleted = world.admin.delete_records([TopicPartition(topic, 0, 4)])
    same([one.result().low_watermark for one in deleted.values()], [4])
    same(at(OffsetSpec.earliest()), 4)
    said = world.admin.delete_records([TopicPartition(topic, 0, 99)])
    return refused(next(iter(said.values())).result, "OFFSET_OUT_OF_RANGE")


def leaders(world: World) -> str:
    """leaders: the preferred one is elected already"""
    topic = world.topic()
    elected = world.admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(topic, 0)]).result()
    return next(iter(elected.values())).name()


def users(world: World) -> str:
    """users: SCRAM credentials are set, described, deleted"""
    user = world.name("user")
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8_192)

    def said() -> object:
        try:
            found = world.admin.describe_user_scram_credentials([user])[user].result().scram_credential_infos
            return [(one.mechanism, one.iterations) for one in found]
        except KafkaException as error:
            return error.args[0].name()

    world.admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, b"secret")])[user].result()
    soon(said, [(info.mechanism, info.iterations)])
    gone = UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)
    world.admin.alter_user_scram_credentials([gone])[user].result()
    soon(said, "RESOURCE_NOT_FOUND")
    return "RESOURCE_NOT_FOUND"


CHECKS = [topics, cluster, configs, acls, groups, group_offsets, offsets, leaders, users]
