// The reading of options' values: regions and languages of the visible mark.

import { InvalidArgumentError } from 'commander';
import { expect, it } from 'vitest';
import { boxes, language } from './options.js';

it('reads regions one after another', () => {
  const one = boxes('120,80,200,240');
  expect(one).toEqual([{ left: 120, top: 80, width: 200, height: 240 }]);
  expect(boxes(' 0, 0, 1, 2 ', one)).toEqual([...one, { left: 0, top: 0, width: 1, height: 2 }]);
  expect(one).toHaveLength(1);
});

it.each(['', '1,2,3', '1,2,3,4,5', '1,2,0,4', '1,2,3,0', '-1,2,3,4', '1.5,2,3,4', '1,,3,4', 'a,b,c,d', '1 2 3 4', '0x1,2,3,4'])('refuses %j as a region', (text) => {
  expect(() => boxes(text)).toThrow(InvalidArgumentError);
  expect(() => boxes(text)).toThrow(/LEFT,TOP,WIDTH,HEIGHT/);
});

it('reads languages, and takes no file for one', () => {
  for (const text of ['de', 'EL', 'pt-PT', 'de_AT', 'zh-Hans-CN']) expect(language(text)).toBe(text);
  for (const text of ['photo.png', 'german', 'd', '', 'in/', './de']) expect(() => language(text)).toThrow(/two letters/);
});
