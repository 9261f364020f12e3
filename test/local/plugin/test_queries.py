"""Key conditions that are read once per request hold for the same items as those that the emulator reads for each."""

import itertools
import random
import unittest

from ministack.services import dynamodb

from mlops_engine import dynamodb_queries

NAMES = {'#k': 'pk', '#s': 'sk'}
CONDITIONS = [
    'pk = :p', '#k = :p AND begins_with(#s, :a)', 'pk = :p AND begins_with ( sk , :b )', 'pk = :p AND sk BETWEEN :a AND :b',
    'pk=:p AND sk>=:a', 'pk = :p AND sk > :a', 'pk = :p AND sk < :b', 'pk = :p AND sk <= :b', 'pk = :p AND sk = :a', '(pk = :p) AND (sk = :a)',
]


class QueriesTest(unittest.TestCase):
    def setUp(self):
        self.emulators = dynamodb._evaluate_condition
        self.addCleanup(setattr, dynamodb, '_evaluate_condition', self.emulators)
        dynamodb_queries.install()

    def answers(self, evaluate, condition, items, values):
        return [evaluate(condition, item, values, NAMES, slot='KeyConditionExpression') for item in items]

    def test_conditions_of_any_shape_hold_for_the_same_items(self):
        chance = random.Random(1)
        texts = [''.join(chance.choice('abé𝄞\x00') for _ in range(chance.randint(1, 4))) for _ in range(60)]
        items = [{'pk': {'S': chance.choice('xy')}, 'sk': {'S': text}} for text in texts] + [{'pk': {'S': 'x'}}]
        for condition, low, high in itertools.product(CONDITIONS, ['a', 'ab', 'é'], ['b', 'é', '𝄞']):
            low, high = sorted([low, high])
            values = {':p': {'S': 'x'}, ':a': {'S': low}, ':b': {'S': high}}
            expected = self.answers(self.emulators, condition, items, values)
            self.assertEqual(self.answers(dynamodb._evaluate_condition, condition, items, values), expected, (condition, low, high))

    def test_numbers_and_faults_are_left_to_the_emulator(self):
        items = [{'pk': {'S': 'x'}, 'sk': {'N': number}} for number in ('2', '10', '-1')]
        values = {':p': {'S': 'x'}, ':a': {'N': '5'}}
        self.assertEqual(self.answers(dynamodb._evaluate_condition, 'pk = :p AND sk < :a', items, values), [True, False, True])
        for _ in range(2):
            with self.assertRaises(ValueError):
                self.answers(dynamodb._evaluate_condition, 'pk = :p AND', items, values)


if __name__ == '__main__':
    unittest.main()
