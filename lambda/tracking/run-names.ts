import { randomInt } from 'node:crypto';

const QUALITIES = `able amber bold brave brisk calm clear clever deft eager fair fleet frank glad grand hardy keen kind lively lucid merry
  mild neat nimble noble plain proud quick quiet ready robust sage sharp silent sincere sleek smart steady stout sunny swift tidy vivid warm
  wise`.split(/\s+/);
const ANIMALS = `ant badger bat bear beaver bee bison boar camel crane crow deer dove duck eagle eel elk falcon ferret finch fox frog goat goose
  hare hawk heron horse ibis jay lark lion lynx mole moose mouse otter owl panda perch pike quail raven robin seal shark shrew skunk sloth
  snail squid stork swan tern toad trout turtle vole whale wolf wren yak zebra`.split(/\s+/);

/** A name for what was given none: easy to say and to tell apart, not unique. */
export const generatedName = (): string => `${QUALITIES[randomInt(QUALITIES.length)]}-${ANIMALS[randomInt(ANIMALS.length)]}-${randomInt(1_000)}`;
