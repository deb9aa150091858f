import type { Suite } from './suite.ts';
import { missingKafka } from './kafka/toolchain.ts';
export const suite: Suite = { name: 'we-open-kafkas', missing: missingKafka, async run() {} };
