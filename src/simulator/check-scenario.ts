import type { Scenario, SimulatedModel, Trace } from './scenario.ts';

/** Throws what is wrong with a scenario and where, before anything is simulated. */
export function checkScenario({ name, models, trace, maxWait }: Scenario): void {
  const names = new Set(models.map((model) => model.name));
  if (names.size < models.length) throw new RangeError(`scenario ${name}: two models have one name; give each its own`);
  if (!(maxWait >= 0 && maxWait < Infinity)) {
    throw new RangeError(`scenario ${name}: maxWait is ${maxWait}; it has to be a finite number of milliseconds`);
  }
  for (const model of models) checkModel(name, model);
  checkTrace(name, trace, models.length);
}

function checkModel(scenario: string, model: SimulatedModel): void {
  const place = `scenario ${scenario}, model ${model.name}`;
  for (const key of ['loadTime', 'stopTime', 'idleTimeout'] as const) {
    if (!isLength(model[key])) throw new RangeError(`${place}: ${key} is ${model[key]}; it has to be 0 or more`);
  }
  const { minReplicas, maxReplicas, targetInFlight } = model;
  if (maxReplicas < 1 || minReplicas < 0 || minReplicas > maxReplicas) {
    throw new RangeError(
      `${place}: replicas from ${minReplicas} to ${maxReplicas}; the most is at least 1 and the least`,
    );
  }
  if (targetInFlight < 1) throw new RangeError(`${place}: targetInFlight is ${targetInFlight}; it has to be 1 or more`);
}

const isLength = (ms: number): boolean => ms >= 0 && ms < Infinity;

function checkTrace(scenario: string, { at, model, duration }: Trace, models: number): void {
  if (at.length !== model.length || at.length !== duration.length) {
    const lengths = `${at.length}, ${model.length} and ${duration.length}`;
    throw new RangeError(`scenario ${scenario}: the columns of the trace have ${lengths} rows; give all the same`);
  }
  let last = 0;
  for (const [row, time] of at.entries()) {
    if (!isLength(time) || time < last) {
      throw new RangeError(`scenario ${scenario}, request ${row}: comes at ${time} ms, after ${last} ms; sort by time`);
    }
    last = time;
  }
  duration.forEach((takes, row) => {
    if (!isLength(takes))
      throw new RangeError(`scenario ${scenario}, request ${row}: takes ${takes} ms; it has to be 0 or more`);
  });
  model.forEach((index, row) => {
    if (index < models) return;
    throw new RangeError(`scenario ${scenario}, request ${row}: asks for model number ${index}; there are ${models}`);
  });
}
