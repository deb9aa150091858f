import { describe } from 'vitest';
import { webCodecSuite } from '../web/codecs-suite.ts';

describe('in Chromium', () => {
  webCodecSuite();
});
