// The adversarial game's losses, for whatever draws and whatever judges: relativistic pairing (Jolicoeur-Martineau, 2018) held by
// R1 and R2 (Mescheder et al., 2018), as in R3GAN (Huang et al., 2024).

import { gradient, mean, softplus, square, sub, sum, type Tensor } from '@zeuxis/graph';

/** What the discriminator minimises: E softplus(D(fake) - D(real)). Logits of pairs, in tensors of one shape. */
export const discriminatorGame = (real: Tensor, fake: Tensor): Tensor => mean(softplus(sub(fake, real)));

/** What the generator minimises: E softplus(D(real) - D(fake)). */
export const generatorGame = (real: Tensor, fake: Tensor): Tensor => mean(softplus(sub(real, fake)));

/**
 * The sum over all pictures of |grad D|^2, of which R1 and R2 are the halves over real and fake ones. Logits of different
 * pictures do not touch, so the gradient of their sum holds every picture's own.
 */
export function squaredSlopes(logits: Tensor, pictures: Tensor): Tensor {
  const [slope] = gradient(sum(logits), [pictures]);
  return sum(square(slope!));
}
