import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { benchEdge, EDGE_SECTIONS } from '../bench/edge.ts';
import { EVERYBODY, type Extent } from '../bench/edge/bench.ts';
import { startBare, startCorral } from '../bench/edge/on-node.ts';
import { findTools } from '../bench/edge/tools.ts';

const tools = findTools(process.env, process.env['LLAMA_SERVER']);

/** The least that shows that a section works; its figures mean nothing. */
const TINY: Extent = {
  rounds: 1,
  seconds: 1,
  warmUp: 0,
  streams: 4,
  eventsPerStream: 4,
  idleStreams: 8,
  largeBodies: 1,
  unknownPerSecond: 200,
};

/** Everybody takes part in the first section, to show that each can be set up. */
const whoIsIn = (section: string) => (section === 'chat' ? EVERYBODY : [startBare, startCorral]);

describe('the bench of the edge', { skip: typeof tools === 'string' ? tools : false, timeout: 180_000 }, () => {
  for (const section of EDGE_SECTIONS.keys()) {
    it(`measures and judges ${section}`, async () => {
      assert.ok(typeof tools !== 'string');
      let printed = '';
      const print = (text: string): void => {
        printed += text;
      };
      const options = { tools, who: whoIsIn(section), built: false, cores: undefined, profileFolder: undefined, print };
      await benchEdge({ ...options, sections: [section], extent: TINY });
      assert.match(printed, /^\| corral|^\| p99 of others/mu);
      assert.match(printed, /^goal: .*: (?:met|MISSED) \(/mu);
      if (section === 'chat') assert.match(printed, /^goal: no error at 256 connections: met/mu);
      if (section === 'unknown')
        assert.match(printed, /^corral:\n[^]*^\| answered otherwise than 404, or not at all \| +0 \|/mu);
    });
  }
});
