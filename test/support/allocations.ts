/** The largest buffer asked for since the last `largestAllocation`, in bytes. */
let largestBytes = 0;

function asked(bytes: unknown): void {
  if (typeof bytes === 'number' && bytes > largestBytes) largestBytes = bytes;
}

/** Says how large the largest buffer was that was asked for since it was called last. */
export function largestAllocation(): number {
  const bytes = largestBytes;
  largestBytes = 0;
  return bytes;
}

const KINDS = ['ArrayBuffer', 'Uint8Array', 'Int32Array', 'Uint32Array', 'Float64Array'] as const;

/**
 * Watches each buffer that JavaScript makes by size from now on, whether it is ever filled or not: an operating system
 * gives gigabytes of zeros for nothing, so what a process weighs does not tell who asked for them.
 */
export function watchAllocations(): void {
  for (const kind of KINDS) {
    const { BYTES_PER_ELEMENT: width = 1 } = globalThis[kind] as { BYTES_PER_ELEMENT?: number };
    const watched = new Proxy(globalThis[kind], {
      construct(target, args: unknown[], newTarget) {
        const [length] = args;
        if (typeof length === 'number') asked(length * width);
        return Reflect.construct(target, args, newTarget) as object;
      },
    });
    Object.defineProperty(globalThis, kind, { value: watched, configurable: true, writable: true });
  }
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const allocate = Buffer[name].bind(Buffer) as (...args: unknown[]) => Buffer;
    Object.assign(Buffer, {
      [name]: (...args: unknown[]) => {
        asked(args[0]);
        return allocate(...args);
      },
    });
  }
}
