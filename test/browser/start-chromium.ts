import { type Browser, chromium } from 'playwright';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';

export async function startChromium(): Promise<Browser> {
  const executablePath = await findChromium();
  return chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: CHROMIUM_FLAGS });
}
