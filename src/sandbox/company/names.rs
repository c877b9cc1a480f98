//! Words that names are made of. Lists have powers of two as lengths where a name must lead back to its index.

pub(super) const FIRST_WORDS: [&str; 64] = [
    "Alder", "Amber", "Apex", "Aspen", "Atlas", "Aurora", "Beacon", "Birch", "Blue", "Bright", "Bronze", "Cedar", "Cinder", "Clear", "Cobalt",
    "Copper", "Coral", "Crest", "Crystal", "Delta", "Drift", "Eagle", "East", "Elm", "Ember", "Fair", "Falcon", "Fern", "Flint", "Frost", "Garnet",
    "Glen", "Golden", "Granite", "Green", "Harbor", "Hazel", "High", "Iron", "Ivory", "Jade", "Juniper", "Keystone", "Lake", "Laurel", "Lumen",
    "Maple", "Meridian", "Mill", "North", "Oak", "Onyx", "Orchid", "Pine", "Quartz", "Raven", "River", "Saffron", "Silver", "Slate", "Spring",
    "Summit", "Willow", "Zephyr",
];

pub(super) const SECOND_WORDS: [&str; 32] = [
    "bank", "bay", "bridge", "brook", "cliff", "craft", "dale", "field", "ford", "forge", "gate", "grove", "haven", "hill", "leaf", "line", "loop",
    "mark", "mind", "path", "peak", "point", "port", "ridge", "scope", "shore", "spark", "stone", "stream", "view", "ware", "wood",
];

pub(super) const LAST_WORDS: [&str; 16] = [
    "Analytics",
    "Biotech",
    "Capital",
    "Energy",
    "Foods",
    "Group",
    "Health",
    "Insurance",
    "Labs",
    "Logistics",
    "Media",
    "Mobility",
    "Robotics",
    "Software",
    "Systems",
    "Travel",
];

/// What an account whose name ends so is likely in, in the order of `LAST_WORDS`.
pub(super) const INDUSTRIES: [&str; 16] = [
    "Technology",
    "Biotechnology",
    "Finance",
    "Energy",
    "Food & Beverage",
    "Consulting",
    "Healthcare",
    "Insurance",
    "Technology",
    "Transportation",
    "Media",
    "Transportation",
    "Manufacturing",
    "Technology",
    "Technology",
    "Hospitality",
];

pub(super) const GIVEN_NAMES: [&str; 64] = [
    "Aiko", "Alan", "Alba", "Amara", "Andre", "Anika", "Anton", "Ayla", "Bela", "Bruno", "Carla", "Chen", "Clara", "Daniel", "Daria", "Diego",
    "Dina", "Elena", "Elias", "Emil", "Emma", "Esra", "Fatima", "Felix", "Fiona", "Gael", "Greta", "Hana", "Hugo", "Ida", "Imran", "Ines", "Ivan",
    "Jana", "Jonas", "Julia", "Kaito", "Karim", "Lara", "Leon", "Lina", "Luca", "Maja", "Marco", "Maria", "Mateo", "Mira", "Nadia", "Nils", "Nora",
    "Olga", "Omar", "Paula", "Petra", "Rahul", "Rosa", "Sami", "Sara", "Sven", "Tara", "Tomas", "Vera", "Yusuf", "Zoe",
];

pub(super) const FAMILY_NAMES: [&str; 64] = [
    "Abe", "Adler", "Ahmed", "Alves", "Bauer", "Becker", "Bianchi", "Brandt", "Castro", "Chen", "Costa", "Cruz", "Dahl", "Diaz", "Duval", "Eriksen",
    "Farkas", "Fischer", "Fontaine", "Garcia", "Gruber", "Haas", "Hansen", "Horvat", "Ibrahim", "Ito", "Jansen", "Kaya", "Keller", "Khan", "Kim",
    "Klein", "Kovacs", "Kumar", "Lang", "Larsen", "Lopez", "Marino", "Martin", "Meyer", "Mori", "Moreau", "Nagy", "Novak", "Okafor", "Olsen",
    "Ortiz", "Park", "Patel", "Petrov", "Ramos", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Suzuki", "Tanaka", "Torres", "Vargas", "Vogel",
    "Weber", "Wolf", "Yilmaz",
];

pub(super) const TITLES: [&str; 16] = [
    "Account Manager",
    "Administrator",
    "Analyst",
    "Chief Operating Officer",
    "Consultant",
    "Customer Support Lead",
    "Director of Operations",
    "Engineer",
    "Head of Finance",
    "IT Manager",
    "Marketing Manager",
    "Operations Specialist",
    "Product Manager",
    "Project Manager",
    "Sales Manager",
    "VP Operations",
];

/// City, state or region, country.
pub(super) const PLACES: [(&str, &str, &str); 16] = [
    ("Amsterdam", "Noord-Holland", "Netherlands"),
    ("Austin", "Texas", "United States"),
    ("Berlin", "Berlin", "Germany"),
    ("Boston", "Massachusetts", "United States"),
    ("Chicago", "Illinois", "United States"),
    ("Denver", "Colorado", "United States"),
    ("Dublin", "Leinster", "Ireland"),
    ("London", "England", "United Kingdom"),
    ("Madrid", "Madrid", "Spain"),
    ("Munich", "Bavaria", "Germany"),
    ("Osaka", "Osaka", "Japan"),
    ("Paris", "Ile-de-France", "France"),
    ("San Francisco", "California", "United States"),
    ("Sydney", "New South Wales", "Australia"),
    ("Toronto", "Ontario", "Canada"),
    ("Vienna", "Vienna", "Austria"),
];
