/**
 * Adds attributes to the resource of every ResourceMetrics of OpenTelemetry's MetricsData, whose bytes stay as they
 * are: in protobuf a message that occurs twice is one, merged, so a second Resource is appended.
 *
 *   MetricsData      1: ResourceMetrics, repeated
 *   ResourceMetrics  1: Resource  2: ScopeMetrics, repeated  3: schema_url
 *   Resource         1: KeyValue, repeated     KeyValue  1: key  2: AnyValue     AnyValue  1: string
 */
export function withAttributes(
  metricsData: Uint8Array,
  attributes: Readonly<Record<string, string>>,
): Uint8Array {
  const pairs = Object.entries(attributes).map(([key, value]) =>
    field(1, joined([field(1, utf8(key)), field(2, field(1, utf8(value)))])),
  );
  const resource = field(1, joined(pairs));
  const parts: Uint8Array[] = [];
  const reader = { bytes: metricsData, at: 0 };
  while (reader.at < metricsData.length) {
    const tag = varint(reader);
    // All of MetricsData is one repeated message.
    if (tag !== RESOURCE_METRICS) throw new Error(`no MetricsData: it has a field of tag ${tag}`);
    const length = varint(reader);
    if (reader.at + length > metricsData.length) throw new Error('no MetricsData: it breaks off');
    parts.push(field(1, joined([metricsData.subarray(reader.at, reader.at + length), resource])));
    reader.at += length;
  }
  return joined(parts);
}

/** Field 1, of a length that is told. */
const RESOURCE_METRICS = 0x0a;
const VARINT_BYTES_MAX = 5;

const utf8 = (text: string) => new TextEncoder().encode(text);

function field(number: number, bytes: Uint8Array): Uint8Array {
  return joined([new Uint8Array([(number << 3) | 2]), varintOf(bytes.length), bytes]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  while (left > 0x7f) {
    bytes.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  return new Uint8Array([...bytes, left]);
}

function varint(reader: { bytes: Uint8Array; at: number }): number {
  let value = 0;
  for (let count = 0; count < VARINT_BYTES_MAX; count++) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * count);
    if (byte < 0x80) return value;
  }
  throw new Error('no MetricsData: a length that does not end');
}
