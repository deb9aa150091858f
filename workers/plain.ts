/** An answer for people. */
export function plain(status: number, message: string, type = 'text/plain; charset=utf-8'): Response {
  const headers = { 'content-type': type, 'cache-control': 'no-store' };
  return new Response(`${message.trimEnd()}\n`, { status, headers });
}

export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });
}
