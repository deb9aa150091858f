/** What is in so many pieces is not cut further: a range checked in one of them is checked again. */
const PIECES_MAX = 64;

interface Piece {
  from: number;
  to: number;
}

/**
 * What of a segment's file an earlier process left and nobody has checked in this one: byte positions, in pieces, since
 * readers begin anywhere, and reads that were asked for together end in any order.
 */
export class Unchecked {
  #pieces: readonly Piece[];

  private constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** A file of `sizeBytes` that nobody has looked at. */
  static all(sizeBytes: number): Unchecked {
    return sizeBytes === 0 ? Unchecked.nothing : new Unchecked([{ from: 0, to: sizeBytes }]);
  }

  static readonly nothing = new Unchecked([]);

  /** Whether any of [from, to) is. */
  meets(from: number, to: number): boolean {
    return this.#pieces.some((piece) => piece.from < to && piece.to > from);
  }

  /** What is left of it once [from, to) has been checked. */
  without(from: number, to: number): Unchecked {
    const left = this.#pieces.flatMap((piece) => {
      const before = { from: piece.from, to: Math.min(piece.to, from) };
      const after = { from: Math.max(piece.from, to), to: piece.to };
      return [before, after].filter((rest) => rest.from < rest.to);
    });
    return left.length > PIECES_MAX ? this : new Unchecked(left);
  }
}
