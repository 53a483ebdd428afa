/** Material for believable records. */
export const FIRST_NAMES = {
  FEMALE: ['Elena', 'Priya', 'Grace', 'Fatima', 'Hannah', 'Sofia', 'Aiko', 'Nadia'],
  MALE: ['Marcus', 'Omar', 'Lukas', 'Samuel', 'Diego', 'Arjun', 'Peter', 'Kwame'],
} as const;

export const LAST_NAMES = [
  'Almeida',
  'Baptiste',
  'Castellanos',
  'Dimitrov',
  'Eriksen',
  'Farrell',
  'Haddad',
  'Ivanova',
  'Kowalski',
  'Nakamura',
  'Osei',
  "O'Brien",
] as const;

export const STREETS = ['Linden Road', 'Harbour Street', 'Mill Lane', 'Station Road', 'Orchard Way'] as const;

export const ALLERGIES = ['Penicillin', 'Latex', 'Peanuts', 'Ibuprofen', 'Sulfonamides'] as const;

export const MEDICATIONS = [
  {
    medication: 'Amoxicillin',
    dosage: '500 mg',
    instructions: 'Three times a day for 7 days',
    quantity: '21',
  },
  { medication: 'Lisinopril', dosage: '10 mg', instructions: 'Once a day, in the morning', quantity: '30' },
  { medication: 'Metformin', dosage: '850 mg', instructions: 'Twice a day, with meals', quantity: '60' },
  { medication: 'Atorvastatin', dosage: '20 mg', instructions: 'Once a day, in the evening', quantity: '30' },
  { medication: 'Salbutamol', dosage: '100 µg', instructions: 'Two puffs when needed', quantity: '1' },
  {
    medication: 'Levothyroxine',
    dosage: '75 µg',
    instructions: 'Half an hour before breakfast',
    quantity: '90',
  },
  {
    medication: 'Ibuprofen oral suspension',
    dosage: '20 mg/ml',
    instructions: '7.5 ml when needed',
    quantity: '0.15',
  },
] as const;
