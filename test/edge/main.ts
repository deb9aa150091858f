// `npm run edge:workerd`: the whole cluster as one workerd process, on a disk. Options: --directory, --port (Kafka over
// TCP), --http-port (Kafka over WebSocket, and HTTP), --host, --settings FILE (as server.properties).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startEdge } from '../support/edge.ts';
import { bundleEdge } from '../support/edge-bundle.ts';

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: 'milena-edge' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '9092' },
    'http-port': { type: 'string', default: '8787' },
    settings: { type: 'string' },
  },
});
const { directory, host, port, settings } = values;
const bundle = await bundleEdge(resolve(import.meta.dirname, '../../build/worker'));
const secret = process.env['MILENA_SECRET'];
const edge = await startEdge(bundle, {
  directory: resolve(directory),
  http: `${host}:${values['http-port']}`,
  tcp: `${host}:${port}`,
  vars: {
    ...(settings !== undefined && { MILENA_SETTINGS: readFileSync(settings, 'utf8') }),
    ...(secret !== undefined && { MILENA_SECRET: secret }),
  },
});
console.log(`Milena in workerd, objects in ${resolve(directory)}

  Kafka     ${host}:${edge.tcpPort}
  WebSocket ws://${edge.host}/kafka
  HTTP      http://${edge.host}/readyz

  node dist/bin/milena.js topics create orders --broker ${host}:${edge.tcpPort}
  curl -d hello http://${edge.host}/topics/orders
`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void edge.kill('SIGTERM').then(() => process.exit(0)));
