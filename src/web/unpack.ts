import { streamed } from '../hosts/web/streamed.ts';
import { MilenaError } from '../client/milena-error.ts';
import { refusal } from './errors.ts';

/** What one batch may unpack to; a batch of 1 MiB can hide 1 GiB. */
const UNPACKED_MAX_BYTES = 64 * 1024 * 1024;

const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/**
 * Unpacks what others have compressed. gzip is the platform's, and zstd where it has it; code for snappy and lz4 is
 * loaded when it is first needed.
 * @throws MilenaError UNSUPPORTED_COMPRESSION_TYPE; CORRUPT_MESSAGE for bytes that cannot be read.
 */
export async function unpack(codec: number, block: Uint8Array): Promise<Uint8Array> {
  const name = NAMES[codec] ?? `codec ${codec}`;
  try {
    if (codec === 2 || codec === 3)
      return await (await import('./codecs.ts')).unpack(codec, block, UNPACKED_MAX_BYTES);
    if (codec === 1 || codec === 4) return await streamed(decompression(name), block, UNPACKED_MAX_BYTES);
  } catch (error) {
    if (error instanceof MilenaError) throw error;
    throw refusal(2, name, String(error));
  }
  throw unsupported(name);
}

/** zstd is new in platforms: its name is not in the types of all. */
function decompression(format: string): DecompressionStream {
  try {
    return new DecompressionStream(format as CompressionFormat);
  } catch {
    throw unsupported(format);
  }
}

function unsupported(codec: string): MilenaError {
  const hint = `let producers write gzip, lz4 or snappy, or set compression.type of the topic to one of them`;
  return new MilenaError(`this platform cannot unpack ${codec}`, {
    code: 'UNSUPPORTED_COMPRESSION_TYPE',
    hint,
  });
}
