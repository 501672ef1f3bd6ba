/** What the places of the sample data are called and where they lie: the city of Lisbon. */

/** A quarter of the city: where its middle is, in degrees, and how far it reaches. */
export interface Quarter {
  readonly name: string
  readonly longitude: number
  readonly latitude: number
  /** Half the width of the quarter in degrees, small enough to stay out of the river. */
  readonly reach: number
}

/** Patterns of names for one category; a word is put in place of each `{...}`. */
export interface Category {
  readonly name: string
  readonly patterns: readonly string[]
}

export const quarters: readonly Quarter[] = [
  { name: 'Alcântara', longitude: -9.1806, latitude: 38.7062, reach: 0.003 },
  { name: 'Alfama', longitude: -9.1302, latitude: 38.7125, reach: 0.0015 },
  { name: 'Alvalade', longitude: -9.1437, latitude: 38.7535, reach: 0.006 },
  { name: 'Areeiro', longitude: -9.1335, latitude: 38.7425, reach: 0.004 },
  { name: 'Arroios', longitude: -9.1347, latitude: 38.7335, reach: 0.004 },
  { name: 'Bairro Alto', longitude: -9.1449, latitude: 38.7131, reach: 0.0016 },
  { name: 'Belém', longitude: -9.2055, latitude: 38.7008, reach: 0.003 },
  { name: 'Benfica', longitude: -9.2023, latitude: 38.7498, reach: 0.006 },
  { name: 'Campo de Ourique', longitude: -9.1656, latitude: 38.7172, reach: 0.003 },
  { name: 'Chiado', longitude: -9.1412, latitude: 38.7107, reach: 0.0013 },
  { name: 'Estrela', longitude: -9.1605, latitude: 38.7138, reach: 0.0025 },
  { name: 'Graça', longitude: -9.1307, latitude: 38.7172, reach: 0.002 },
  { name: 'Lumiar', longitude: -9.1605, latitude: 38.7705, reach: 0.006 },
  { name: 'Marvila', longitude: -9.1085, latitude: 38.7425, reach: 0.003 },
  { name: 'Mouraria', longitude: -9.1358, latitude: 38.7158, reach: 0.0012 },
  { name: 'Olivais', longitude: -9.1157, latitude: 38.7665, reach: 0.005 },
  { name: 'Príncipe Real', longitude: -9.1487, latitude: 38.7172, reach: 0.0018 },
  { name: 'Santos', longitude: -9.1562, latitude: 38.7088, reach: 0.0014 },
  { name: 'Saldanha', longitude: -9.1449, latitude: 38.7342, reach: 0.003 },
  { name: 'Telheiras', longitude: -9.1665, latitude: 38.7605, reach: 0.004 },
]

export const categories: readonly Category[] = [
  {
    name: 'cafe',
    patterns: [
      'Café {thing}',
      'Pastelaria {thing}',
      'Padaria de {quarter}',
      'Confeitaria {surname}',
      'Leitaria {thing}',
      '{thing} Coffee Roasters',
    ],
  },
  {
    name: 'restaurant',
    patterns: [
      'Tasca {givenName}',
      'Cervejaria {thing}',
      'Marisqueira de {quarter}',
      'Adega {surname}',
      'Restaurante {thing}',
      'Churrasqueira {surname}',
      'Cantina {thing}',
    ],
  },
  {
    name: 'bar',
    patterns: [
      'Bar {thing}',
      'Ginjinha {surname}',
      'Casa de Fado {thing}',
      'Miradouro Bar {quarter}',
      'Taberna {givenName}',
      'Garrafeira {surname}',
    ],
  },
  {
    name: 'hair',
    patterns: [
      'Cabeleireiro {givenName}',
      'Barbearia {surname}',
      'Salão {thing}',
      'Barbearia de {quarter}',
      'Atelier {givenName}',
    ],
  },
  {
    name: 'gym',
    patterns: [
      'Ginásio {thing}',
      'Clube Atlético de {quarter}',
      'Estúdio de Ioga {thing}',
      'Escalada {quarter}',
      'Piscina de {quarter}',
      'Pilates {givenName}',
    ],
  },
  {
    name: 'retail',
    patterns: [
      'Livraria {thing}',
      'Mercearia {surname}',
      'Drogaria {surname}',
      'Papelaria {thing}',
      'Discos {thing}',
      'Conserveira {thing}',
      'Azulejos {surname}',
    ],
  },
]

/** Words that could stand over any door of the city. */
export const things: readonly string[] = [
  'Andorinha',
  'Aqueduto',
  'Atlântico',
  'Azulejo',
  'Bica',
  'Buganvília',
  'Calçada',
  'Cacilheiro',
  'Caravela',
  'Cotovia',
  'Elétrico',
  'Farol',
  'Figueira',
  'Gaivota',
  'Guitarra',
  'Jacarandá',
  'Janela Verde',
  'Lanterna',
  'Limoeiro',
  'Manjerico',
  'Maré Alta',
  'Meia-Lua',
  'Nortada',
  'Oliveira Velha',
  'Pátio',
  'Pessegueiro',
  'Rosa dos Ventos',
  'Sardinheira',
  'Sete Colinas',
  'Sino',
  'Tejo',
  'Varanda',
  'Vapor',
]
