import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../cli/milena.ts';

interface Panel {
  title: string;
  targets?: { expr: string; legendFormat: string }[];
}

/** What the dashboard asks Prometheus. */
export interface Expression {
  panel: string;
  text: string;
  legend: string;
  /** Each series by its name, and the labels that are looked at. */
  series: { name: string; labels: string[] }[];
  /** Labels that sums keep. */
  by: string[];
}

export function dashboardText(): string {
  return readFileSync(join(ROOT, 'docs/grafana/milena.json'), 'utf8');
}

export function dashboardExpressions(): Expression[] {
  const { panels } = JSON.parse(dashboardText()) as { panels: Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => expressionOf(title, expr, legendFormat)),
  );
}

export function expressionOf(panel: string, text: string, legend: string): Expression {
  const series = Array.from(text.matchAll(/([a-zA-Z_]\w*)\{([^}]*)\}/g), ([, name = '', labels = '']) => ({
    name,
    labels: Array.from(labels.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g), ([, label = '']) => label),
  }));
  const by = Array.from(text.matchAll(/\bby \(([^)]*)\)/g), ([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  ).flat();
  return { panel, text, legend, series, by };
}
