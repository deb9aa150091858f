import { apiPages } from './api.ts';
import { commandLinePage } from './command-line.ts';
import { compatibilityPage } from './compatibility.ts';
import { configsPage, settingsPage } from './configs.ts';
import { errorsPage } from './errors.ts';
import { protocolPage } from './protocol.ts';

const MADE = '<!-- made by `npm run docs`: edit the code it comes from -->\n\n';

/** All of `docs/reference`, by file name. */
export async function referencePages(): Promise<Map<string, string>> {
  const pages = new Map([
    ...apiPages(),
    ['command-line.md', await commandLinePage()],
    ['compatibility.md', compatibilityPage()],
    ['configs.md', configsPage()],
    ['errors.md', errorsPage()],
    ['protocol.md', protocolPage()],
    ['settings.md', settingsPage()],
  ]);
  return new Map(Array.from(pages, ([name, text]) => [name, MADE + unwrapped(text)]));
}

/** A paragraph is a line: where its lines end in the code says nothing. */
function unwrapped(text: string): string {
  return text.replaceAll(/(?<=^[^\n|#-][^\n]*)\n(?=[^\n|#-])/gm, ' ');
}
