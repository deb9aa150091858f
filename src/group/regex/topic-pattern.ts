import { unreachable } from '../../model/assert.ts';
import { type CharSet, has, WORD } from './char-set.ts';
import { type Assertion, invalid, type Node, parse } from './parse.ts';

type Step =
  | { type: 'char'; set: CharSet }
  | { type: 'assert'; what: Assertion }
  | { type: 'split'; to: readonly [number, number] }
  | { type: 'jump'; to: number }
  | { type: 'end' };

/** Time for a name grows with its length and with this, whatever the pattern. */
const STEPS_MAX = 2_000;
const EMITTED_MAX = 10 * STEPS_MAX;

/**
 * A pattern in RE2's syntax that stands for whole names of topics. Matched as RE2 does, in time that the pattern cannot
 * make explode: it comes from strangers, and the engine's own RegExp goes back and forth.
 */
export class TopicPattern {
  readonly #steps: Step[] = [];
  /** Which steps are among the current ones: by the number of the round they were added in. */
  readonly #addedIn: Int32Array;
  #round = 0;
  #emitted = 0;

  /** @throws KafkaError INVALID_REGULAR_EXPRESSION */
  constructor(source: string) {
    this.#emit(parse(source));
    this.#add({ type: 'end' });
    this.#addedIn = new Int32Array(this.#steps.length);
  }

  matches(name: string): boolean {
    let current: number[] = [];
    this.#begin();
    this.#follow(current, 0, name, 0);
    for (let at = 0; at < name.length && current.length > 0; at++) {
      const unit = name.charCodeAt(at);
      const next: number[] = [];
      this.#begin();
      for (const index of current) {
        const step = this.#steps[index];
        if (step?.type === 'char' && has(step.set, unit)) this.#follow(next, index + 1, name, at + 1);
      }
      current = next;
    }
    return current.some((index) => this.#steps[index]?.type === 'end');
  }

  #begin(): void {
    if (++this.#round < 0x7fff_ffff) return;
    this.#addedIn.fill(0);
    this.#round = 1;
  }

  /** Adds the steps that wait for a character, or the end, and can be reached from `first` without one. */
  #follow(found: number[], first: number, name: string, at: number): void {
    const open = [first];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (this.#addedIn[index] === this.#round) continue;
      this.#addedIn[index] = this.#round;
      const step = this.#steps[index];
      if (step?.type === 'split') open.push(...step.to);
      else if (step?.type === 'jump') open.push(step.to);
      else if (step?.type !== 'assert') found.push(index);
      else if (holds(step.what, name, at)) open.push(index + 1);
    }
  }

  #add(step: Step): number {
    if (this.#steps.length >= STEPS_MAX) throw invalid('expression is too large');
    return this.#steps.push(step) - 1;
  }

  #emit(node: Node): void {
    // Nothing, repeated a thousand times a thousand times, adds no step.
    if (++this.#emitted > EMITTED_MAX) throw invalid('expression is too large');
    switch (node.type) {
      case 'set':
        this.#add({ type: 'char', set: node.set });
        return;
      case 'assert':
        this.#add(node);
        return;
      case 'sequence':
        for (const item of node.items) this.#emit(item);
        return;
      case 'either':
        return this.#emitEither(node.items);
      case 'repeat':
        return this.#emitRepeat(node.item, node.min, node.max);
      default:
        return unreachable(node);
    }
  }

  #emitEither(items: readonly Node[]): void {
    const ends: number[] = [];
    for (const [index, item] of items.entries()) {
      const isLast = index === items.length - 1;
      const split = isLast ? -1 : this.#add({ type: 'split', to: [0, 0] });
      this.#emit(item);
      if (isLast) break;
      ends.push(this.#add({ type: 'jump', to: 0 }));
      this.#steps[split] = { type: 'split', to: [split + 1, this.#steps.length] };
    }
    for (const end of ends) this.#steps[end] = { type: 'jump', to: this.#steps.length };
  }

  #emitRepeat(item: Node, min: number, max: number): void {
    for (let i = 0; i < min; i++) this.#emit(item);
    if (max === Infinity) {
      const split = this.#add({ type: 'split', to: [0, 0] });
      this.#emit(item);
      this.#add({ type: 'jump', to: split });
      this.#steps[split] = { type: 'split', to: [split + 1, this.#steps.length] };
      return;
    }
    const splits: number[] = [];
    for (let i = min; i < max; i++) {
      splits.push(this.#add({ type: 'split', to: [0, 0] }));
      this.#emit(item);
    }
    for (const split of splits) this.#steps[split] = { type: 'split', to: [split + 1, this.#steps.length] };
  }
}

function holds(what: Assertion, name: string, at: number): boolean {
  const isWord = (index: number) => index >= 0 && index < name.length && has(WORD, name.charCodeAt(index));
  const isBoundary = isWord(at - 1) !== isWord(at);
  switch (what) {
    case 'start':
      return at === 0;
    case 'end':
      return at === name.length;
    case 'lineStart':
      return at === 0 || name[at - 1] === '\n';
    case 'lineEnd':
      return at === name.length || name[at] === '\n';
    case 'boundary':
      return isBoundary;
    case 'noBoundary':
      return !isBoundary;
    default:
      return unreachable(what);
  }
}
