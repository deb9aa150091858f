import { type Api, type Field, type Fields, inRange } from '../wire/schema.ts';

/** Where in an answer error codes stand: here, and below these fields. */
interface Place {
  here: boolean;
  below: readonly [name: string, place: Place][];
}

/** Tells of every error in answers of one API: of the request as a whole, of a topic, of a partition. */
export class ReplyErrors {
  readonly #place: Place | undefined;

  constructor(api: Api) {
    this.#place = placeIn(api.response);
  }

  /** @param body an answer as handlers give it. */
  each(body: unknown, onError: (errorCode: number) => void): void {
    if (this.#place !== undefined) visit(this.#place, body, onError);
  }
}

function placeIn(fields: Fields): Place | undefined {
  const below = Object.entries(fields).flatMap(([name, field]): [string, Place][] => {
    const inner = field.fields ?? field.element?.fields;
    const place = inner && placeIn(inner);
    return place === undefined ? [] : [[name, place]];
  });
  const here = 'errorCode' in fields;
  return here || below.length > 0 ? { here, below } : undefined;
}

type Answer = Readonly<Record<string, unknown>>;

function visit(place: Place, value: unknown, onError: (errorCode: number) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) visit(place, each, onError);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const answer = value as Answer;
  if (place.here && typeof answer['errorCode'] === 'number' && answer['errorCode'] !== 0)
    onError(answer['errorCode']);
  for (const [name, inner] of place.below) visit(inner, answer[name], onError);
}

/** Whether an answer of that version has a place for an error at its top. */
export function saysErrors({ response }: Api, version: number): boolean {
  const { errorCode } = response;
  return errorCode !== undefined && inRange(errorCode.versions, version);
}

/** An answer that says nothing but an error, if it has a place for one at its top. */
export function emptyAnswer(api: Api, errorCode: number): Answer {
  return { ...emptyFields(api.response), errorCode };
}

function emptyFields(fields: Fields): Answer {
  const emptyOf = ({ kind, fields: inner, default: byDefault }: Field) =>
    kind === 'array'
      ? byDefault === null
        ? null
        : []
      : inner === undefined
        ? byDefault
        : emptyFields(inner);
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, emptyOf(field)]));
}
