import type { Anomalies, Kind } from './anomaly.ts';
import type { History, Operation } from './history.ts';
import type { VersionOrder } from './versions.ts';

/** Operation -> those that come after it, and why. */
type Graph = Map<Operation, Map<Operation, string>>;

/**
 * Cycles of what must have come before what: a write before the next one of its key (ww), a write before who read it
 * (wr), what a process did before what it did next, and what had ended before what had not begun.
 */
export function checkCycles(history: History, order: VersionOrder, anomalies: Anomalies): void {
  const done = history.operations.filter(
    (operation) => operation.outcome !== 'fail' && (order.isDone(operation) || operation.outcome === 'info'),
  );
  const ww = writeWrite(order);
  const wr = writeRead(order);
  const processes = processOrder(done);
  const realtime = realtimeOrder(done);
  const searches: [Kind, readonly Graph[]][] = [
    ['G0', [ww]],
    ['G0-process', [ww, processes]],
    ['G0-realtime', [ww, processes, realtime]],
    ['G1c', [wr]],
    ['G1c-process', [wr, processes]],
    ['G1c-realtime', [wr, processes, realtime]],
    ['G1c with writes', [ww, wr]],
  ];
  for (const [kind, graphs] of searches) {
    for (const cycle of cyclesOf(union(graphs))) anomalies.add(kind, () => cycle);
  }
}

function link(graph: Graph, from: Operation | undefined, to: Operation | undefined, why: string): void {
  if (from === undefined || to === undefined || from === to) return;
  let next = graph.get(from);
  if (next === undefined) graph.set(from, (next = new Map()));
  if (!next.has(to)) next.set(to, why);
}

function union(graphs: readonly Graph[]): Graph {
  const all: Graph = new Map();
  for (const graph of graphs)
    for (const [from, next] of graph) for (const [to, why] of next) link(all, from, to, why);
  return all;
}

function writeWrite(order: VersionOrder): Graph {
  const graph: Graph = new Map();
  for (const [key, versions] of order.keys) {
    let before: Operation | undefined;
    for (const offset of versions.visible) {
      const writer = versions.byValue.get(versions.valueAt.get(offset) ?? '')?.writer;
      link(graph, before, writer, `writes ${key}@${offset} next`);
      before = writer;
    }
  }
  return graph;
}

function writeRead(order: VersionOrder): Graph {
  const graph: Graph = new Map();
  for (const { writer, readers, key, value } of order.all())
    for (const reader of readers) link(graph, writer, reader, `reads its ${value} of ${key}`);
  return graph;
}

function processOrder(operations: readonly Operation[]): Graph {
  const graph: Graph = new Map();
  const last = new Map<string, Operation>();
  for (const operation of operations) {
    link(graph, last.get(operation.process), operation, 'comes next in its process');
    last.set(operation.process, operation);
  }
  return graph;
}

/** Of what had ended before another began, the last ones: the others follow from these. */
function realtimeOrder(operations: readonly Operation[]): Graph {
  const graph: Graph = new Map();
  const events = operations.flatMap((operation) => [
    { atMs: operation.beganAtMs, isEnd: false, operation },
    // Of what nobody knows the end of nothing is known to come after it.
    ...(operation.outcome === 'info' ? [] : [{ atMs: operation.endedAtMs, isEnd: true, operation }]),
  ]);
  // What begins as another ends is beside it.
  events.sort((a, b) => a.atMs - b.atMs || Number(a.isEnd) - Number(b.isEnd));
  let frontier: ReadonlySet<Operation> = new Set();
  const before = new Map<Operation, ReadonlySet<Operation>>();
  for (const { isEnd, operation } of events) {
    if (isEnd) {
      const known = before.get(operation);
      frontier = new Set([...frontier].filter((ended) => !known?.has(ended))).add(operation);
      before.delete(operation);
    } else {
      before.set(operation, frontier);
      for (const ended of frontier) link(graph, ended, operation, 'begins after its end');
    }
  }
  return graph;
}

/** One cycle of each part of the graph that has any, for people. */
function* cyclesOf(graph: Graph): Iterable<string> {
  for (const component of components(graph)) {
    const [start] = component;
    if (component.size < 2 || start === undefined) continue;
    yield describe(graph, start, component);
  }
}

/** Strongly connected ones (Tarjan's algorithm, without recursion). */
function components(graph: Graph): Set<Operation>[] {
  const index = new Map<Operation, number>();
  const low = new Map<Operation, number>();
  const stack: Operation[] = [];
  const onStack = new Set<Operation>();
  const found: Set<Operation>[] = [];
  const enter = (operation: Operation) => {
    index.set(operation, index.size);
    low.set(operation, index.size - 1);
    stack.push(operation);
    onStack.add(operation);
    return { operation, next: (graph.get(operation)?.keys() ?? [].values()) as Iterator<Operation> };
  };
  const lower = (operation: Operation, to: number | undefined) =>
    low.set(operation, Math.min(low.get(operation) ?? 0, to ?? 0));
  const leave = (operation: Operation) => {
    if (low.get(operation) !== index.get(operation)) return;
    const component = new Set<Operation>();
    for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
      onStack.delete(member);
      component.add(member);
      if (member === operation) break;
    }
    found.push(component);
  };
  for (const root of graph.keys()) {
    if (index.has(root)) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { value: next, done } = top.next.next();
      if (done === true) {
        path.pop();
        leave(top.operation);
        const above = path.at(-1);
        if (above) lower(above.operation, low.get(top.operation));
      } else if (!index.has(next)) path.push(enter(next));
      else if (onStack.has(next)) lower(top.operation, index.get(next));
    }
  }
  return found;
}

/** The shortest way from `start` back to it. */
function describe(graph: Graph, start: Operation, component: ReadonlySet<Operation>): string {
  const cameFrom = new Map<Operation, Operation>();
  const queue = [start];
  for (const from of queue) {
    for (const to of graph.get(from)?.keys() ?? []) {
      if (!component.has(to) || cameFrom.has(to)) continue;
      cameFrom.set(to, from);
      if (to === start) break;
      queue.push(to);
    }
  }
  const parts: string[] = [];
  let to = start;
  do {
    const from = cameFrom.get(to) ?? start;
    parts.unshift(`${to.process} ${graph.get(from)?.get(to)}`);
    to = from;
  } while (to !== start);
  return [start.process, ...parts].join('; ');
}
