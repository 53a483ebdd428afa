import { expect, test } from 'vitest';
import { passwordProblem } from './password-rule.ts';

const ada = { email: 'ada.byron@clinic.example', name: 'Ada Byron' };

test.each([
  ['short', 'at least 12'],
  ['password1234', 'tried first'],
  ['P@ssw0rd!2024', 'tried first'],
  ['qwertyuiop123', 'tried first'],
  ['aaaaaaaaaaaaaaaa', 'repeats'],
  ['abababababababab', 'repeats'],
  ['ada.byron@clinic.example', 'own name'],
  ['AdaByron1815', 'own name'],
  ['x'.repeat(300), 'at most 256'],
])('%s is refused', (password, reason) => {
  expect(passwordProblem(password, ada)).toContain(reason);
});

test.each(['violet harbour mends 7 kettles', 'aeKoh3iesh9ahp', 'дом на высоком берегу'])(
  '%s is good',
  (password) => {
    expect(passwordProblem(password, ada)).toBeUndefined();
  },
);
