import { expect, test } from 'vitest';
import { readAnswers } from '../compat/kafka/answers.ts';
import { MAIN_CLASS, NOT_ASKED, toolRuns } from '../compat/kafka/tools.ts';

test("each tool of Kafka's that asks a broker is run, and no other is named twice", () => {
  const run = new Set(toolRuns().map(({ tool }) => tool));
  expect([...run].toSorted()).toEqual(Object.keys(MAIN_CLASS));
  expect(Object.keys(NOT_ASKED).filter((tool) => run.has(tool))).toEqual([]);
});

test('what stands in the reference was asked of this list of commands, and all of it is right', () => {
  const { 'kafka-tools': tools = [], ...others } = readAnswers();
  expect(tools.map(({ asked }) => asked)).toEqual(
    toolRuns().map(({ tool, args }) => [tool, ...args].join(' ')),
  );
  expect([tools, ...Object.values(others)].flat().filter(({ isRight }) => !isRight)).toEqual([]);
});
