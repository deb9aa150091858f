import { describe } from 'vitest';
import { kernelSuite } from '../kernels/suite.ts';

describe('in Chromium', () => {
  kernelSuite();
});
