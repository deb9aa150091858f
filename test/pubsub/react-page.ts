import { createElement, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useTopic } from '../../src/react/index.ts';

let renders = 0;

function Records({ url, limit }: { url: string; limit: number }) {
  const { records, status, publish } = useTopic(url, { limit });
  renders++;
  return createElement(
    'main',
    {},
    createElement('output', { 'data-renders': renders }, status),
    createElement('button', { onClick: () => void publish({ value: 'clicked' }) }, 'click'),
    createElement(
      'ol',
      {},
      records.map((record) =>
        createElement('li', { key: `${record.partition}@${record.offset}` }, record.text()),
      ),
    ),
  );
}

function Page({ url, limit }: { url: string; limit: number }) {
  const [isShown, show] = useState(true);
  const toggle = createElement('input', {
    type: 'checkbox',
    checked: isShown,
    onChange: () => show(!isShown),
  });
  return createElement('div', {}, toggle, isShown ? createElement(Records, { url, limit }) : null);
}

/** In strict mode, as apps are developed: all effects run twice. */
export function mount(url: string, limit: number): void {
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  root.render(createElement(StrictMode, {}, createElement(Page, { url, limit })));
}
