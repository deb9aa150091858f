import { env } from 'cloudflare:workers';
import { r2Storage } from '../../src/hosts/durable-object/tiering/r2.ts';
import { remoteStorageContract } from '../tiering/contract.ts';

remoteStorageContract('R2', async () => {
  const bucket = env.SEGMENTS;
  if (bucket === undefined) throw new Error('wrangler.toml has a bucket');
  for (let { objects } = await bucket.list(); objects.length > 0; { objects } = await bucket.list())
    await bucket.delete(objects.map(({ key }) => key));
  return r2Storage(bucket);
});
