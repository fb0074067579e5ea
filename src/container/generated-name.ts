// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';

const MOODS =
  `able amber ample apt astute awake balmy bold brave breezy bright brisk calm candid canny cheery civil clear
clever cosmic cozy crisp curious daring deft devout eager early earnest easy elated exact fair fearless fine firm fleet
fluent fond frank free fresh frosty gentle glad golden good grand happy hardy honest humble ideal jolly jovial keen kind
lively loyal lucid lucky mellow merry mild modest neat nimble noble open patient placid plucky polite proud quick quiet
rapid ready robust rosy serene sharp silent sincere smart snug solid spry stable steady sunny swift tender thrifty tidy
tranquil trusty upbeat valiant vivid warm wise witty zealous zesty`.split(/\s+/);

const SURNAMES =
  `abel agnesi ampere arnold atiyah avogadro babbage banach bardeen bell bernoulli berners bessel bohr boltzmann
boole bose brahe brattain byron cantor carson cauchy cavendish cerf chandrasekhar church clarke codd conway copernicus
coulomb curie darwin dedekind dijkstra dirac einstein engelbart erdos euclid euler faraday fermat fermi feynman fourier
franklin galileo galois gauss germain goedel goldberg goodall haber hamilton hamming heisenberg hertz hilbert hodgkin
hopper hubble huygens hypatia jacobi joule kepler kilby knuth kolmogorov lagrange lamarr lamport laplace leavitt
leibniz liskov lovelace maxwell mayer meitner mendel mirzakhani moore morse nash newton noether ohm pascal pasteur pauli
perlman planck poincare raman ramanujan riemann ritchie rubin rutherford sagan shannon shockley somerville stallman
tesla thompson torvalds turing volta wiles wilkes wozniak wu yonath`.split(/\s+/);

/** A name for a container that was given none: mood_surname, as Docker makes them. */
export function generateName(): string {
  return `${MOODS[randomInt(MOODS.length)]}_${SURNAMES[randomInt(SURNAMES.length)]}`;
}
