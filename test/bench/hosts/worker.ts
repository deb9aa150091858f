import { callCase } from './cases.ts';

/** A Worker's clock stands still while it computes: who asks looks at his own. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    await callCase(searchParams.get('name') ?? '', Number(searchParams.get('calls')));
    return new Response('done');
  },
};
