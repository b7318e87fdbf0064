// Schedules against R3GAN's description: a cosine from start to end over the burn-in, then level.

import { expect, it } from 'vitest';
import { schedule } from './schedule.js';

it('moves on a cosine and stays at its end', () => {
  const [start, middle, end] = [0, 0.5, 1].map((progress) => schedule(progress, 1e6, 16)) as [ReturnType<typeof schedule>, ReturnType<typeof schedule>, ReturnType<typeof schedule>];
  expect(start.beta2).toBeCloseTo(0.9);
  expect(end.beta2).toBeCloseTo(0.99);
  expect(start.gamma / end.gamma).toBeCloseTo(4);
  // Half a cosine passes the mean of its ends in the middle; the penalty's is over by then.
  expect(middle.rate).toBeCloseTo((start.rate + end.rate) / 2);
  expect(middle.gamma).toBe(end.gamma);
  for (const name of ['rate', 'gamma'] as const) expect(start[name]).toBeGreaterThan(end[name]);
});

it('averages over a share of what was seen, at most over the half-life', () => {
  expect(schedule(0, 0, 16).decay).toBe(0);
  // Half is forgotten after a twentieth of 100,000 pictures: 5,000, which is 312.5 steps of 16.
  expect(schedule(0.1, 100_000, 16).decay ** (5000 / 16)).toBeCloseTo(0.5);
  expect(schedule(1, 1e7, 16).decay ** (20_000 / 16)).toBeCloseTo(0.5);
});
